import { useEffect, useRef, type RefObject } from 'react';

/**
 * For the first control of a dialog, at which the keyboard begins. However the dialog is closed, the keyboard goes on at the button it came from
 * (a CSS selector), not at the top of the page.
 */
export function useDialogFocus<Control extends HTMLElement>(back: string): RefObject<Control> {
  const first = useRef<Control>(null);
  useEffect(() => {
    first.current?.focus();
    return () => {
      setTimeout(() => {
        if (!document.activeElement || document.activeElement === document.body) {
          document.querySelector<HTMLElement>(back)?.focus();
        }
      }, 0);
    };
  }, [back]);
  return first;
}
