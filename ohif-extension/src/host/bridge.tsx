import { Component, createElement, createRef, type ComponentType, type ReactNode, type RefObject } from 'react';
import { createRoot, type Root } from 'react-dom/client';

/** OHIF's hot keys, which listen at the document, take Enter and the space bar away from the button that has the focus. */
function keepButtonKeys(event: KeyboardEvent): void {
  if (event.key === 'Enter' || event.key === ' ') {
    event.stopPropagation();
  }
}

/**
 * Wraps a component so that OHIF's React can show it. OHIF does not share its React; hooks of the bundled copy would fail
 * in the host's renderer, a class component does not: it renders one element, in which the bundled React has its own root.
 */
export function bridge<P extends object>(Inner: ComponentType<P>, className?: string): ComponentType<P> {
  return class Bridged extends Component<P> {
    private readonly element: RefObject<HTMLDivElement> = createRef();
    private root: Root | null = null;

    override componentDidMount(): void {
      if (this.element.current) {
        this.element.current.addEventListener('keydown', keepButtonKeys);
        this.root = createRoot(this.element.current);
        this.root.render(createElement(Inner, this.props));
      }
    }

    override componentDidUpdate(): void {
      this.root?.render(createElement(Inner, this.props));
    }

    override componentWillUnmount(): void {
      // The host is rendering just now; React refuses to unmount another root in the middle of that.
      const root = this.root;
      this.root = null;
      setTimeout(() => root?.unmount(), 0);
    }

    override render(): ReactNode {
      return <div ref={this.element} className={className} />;
    }
  };
}
