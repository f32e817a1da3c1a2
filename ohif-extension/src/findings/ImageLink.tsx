import type { ReactNode } from 'react';
import { useObservable } from '../host/observable';
import type { FindingsSession } from './FindingsSession';
import { describeImageOf } from './FindingTree';

/** The name of an image of the study; pressed, it is shown. */
export function ImageLink({ session, image }: { readonly session: FindingsSession; readonly image: Parameters<typeof describeImageOf>[1] }): ReactNode {
  const shown = useObservable(session.shown);
  return (
    <button type="button" className="image-masking-link" aria-current={shown?.image.sopInstanceUid === image.sopInstanceUid} onClick={() => session.show(image.sopInstanceUid)}>
      {describeImageOf(session, image)}
    </button>
  );
}
