/** Texts of the derivative of attention(). Imported for its effect by what takes gradients. */
import key from '../../../shaders/attention/backward_key.wgsl?link';
import keySpread from '../../../shaders/attention/backward_key_software.wgsl?link';
import query from '../../../shaders/attention/backward_query.wgsl?link';
import querySpread from '../../../shaders/attention/backward_query_software.wgsl?link';
import { setDerivative } from './attention.ts';

setDerivative({ query: { plain: query, spread: querySpread }, key: { plain: key, spread: keySpread } });
