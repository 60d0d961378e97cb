// Where a page that fails ends: a part of it that did not load, or a view that threw. Without it React takes everything away.

import { Component, type ReactNode } from 'react';

interface Props {
  /** The page inside; another one begins anew. */
  page: string;
  children: ReactNode;
}

export class Boundary extends Component<Props, { reason: string }> {
  override state = { reason: '' };

  static getDerivedStateFromError(error: unknown) {
    return { reason: String(error) };
  }

  override componentDidUpdate({ page }: Props): void {
    if (page !== this.props.page && this.state.reason) this.setState({ reason: '' });
  }

  override render(): ReactNode {
    if (!this.state.reason) return this.props.children;
    return (
      <main role="alert" style={{ flex: 1, width: 'min(100% - 40px, 860px)', margin: '56px auto' }}>
        <h1>This page stopped.</h1>
        <p style={{ margin: '14px 0' }}>{this.state.reason}</p>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </main>
    );
  }
}
