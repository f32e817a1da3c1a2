import type { ReactNode } from 'react';

/** An image with a filled rectangle over its text. */
export function MaskIcon(): ReactNode {
  return (
    <svg width="20" height="20" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true" focusable="false">
      <rect x="3.5" y="3.5" width="17" height="17" rx="2" />
      <rect x="6.5" y="6.5" width="9" height="4" fill="currentColor" />
      <path d="M6.5 17.5h6M6.5 14.5h9" />
    </svg>
  );
}
