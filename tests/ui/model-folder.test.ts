// Which files of a chosen tree are the model.

import { expect, test } from 'vitest';
import { modelFolder } from '../../src/ui/language-model/folder.ts';

const tree = (...paths: string[]) =>
  paths.map((path) => ({ path, file: new File([], path.split('/').at(-1) as string) }));

test('the shallowest folder with a config.json, and nothing from below it', () => {
  const chosen = modelFolder(
    tree('models/q/onnx/config.json', 'models/q/config.json', 'models/q/model.safetensors', 'models/q/.git/config'),
  );
  expect(chosen?.name).toBe('q');
  expect(chosen?.files.map(({ name }) => name)).toEqual(['config.json', 'model.safetensors']);
});

test('without one the files on top, so that what is missing can be named; nothing is nothing', () => {
  expect(modelFolder(tree('photos/a.png', 'photos/2026/b.png'))?.files.map(({ name }) => name)).toEqual(['a.png']);
  expect(modelFolder(tree('config.json', 'tokenizer.json'))?.name).toBe('chosen files');
  expect(modelFolder([])).toBeNull();
});
