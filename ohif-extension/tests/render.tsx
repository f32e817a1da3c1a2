import { act, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach } from 'vitest';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

const mounted: (() => void)[] = [];

afterEach(() => {
  mounted.splice(0).forEach(unmount => unmount());
  document.body.replaceChildren();
});

export async function render(element: ReactElement): Promise<HTMLElement> {
  const container = document.createElement('div');
  document.body.append(container);
  const root = createRoot(container);
  mounted.push(() => act(() => root.unmount()));
  await act(async () => root.render(element));
  return container;
}

export function byCy(name: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-cy="${name}"]`);
  if (!found) {
    throw new Error(`Nothing with data-cy="${name}" on the page: ${document.body.innerHTML}`);
  }
  return found;
}

export async function click(element: HTMLElement): Promise<void> {
  await act(async () => element.click());
}

export async function press(key: string, options: KeyboardEventInit = {}, element: Element | null = document.activeElement): Promise<void> {
  await act(async () => element?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...options })));
}

/** What React listens to for a change of a text field. */
export async function type(element: HTMLElement, text: string): Promise<void> {
  await act(async () => {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')?.set?.call(element, text);
    element.dispatchEvent(new Event('input', { bubbles: true }));
  });
}

/** Lets promises and timers of zero length run. */
export async function settle(milliseconds = 0): Promise<void> {
  await act(async () => new Promise(resolve => setTimeout(resolve, milliseconds)));
}
