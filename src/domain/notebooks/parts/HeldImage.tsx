import { useState } from 'react';

import { ErrorNotice, useTrans } from '../../../ui';
import type { IHeldOutput } from '../held';

/** An image that the browser fetches when it comes into sight; its place is kept free until then. */
export function HeldImage(props: {
  held: IHeldOutput;
  address: string;
}): JSX.Element {
  const { held, address } = props;
  const trans = useTrans();
  const [failures, setFailures] = useState(0);
  const [failed, setFailed] = useState(false);
  return failed ? (
    <ErrorNotice
      title={trans.__('The image could not be loaded.')}
      error={{
        message: trans.__(
          'The browser was not given it, or cannot show it. A copy of the notebook has it too.'
        )
      }}
      onRetry={() => {
        setFailures(failures + 1);
        setFailed(false);
      }}
    />
  ) : (
    <div className="jp-RenderedImage jp-mlws-held-image">
      <img
        key={failures}
        src={address}
        alt={held.head || trans.__('Image')}
        loading="lazy"
        decoding="async"
        width={held.width}
        height={held.height}
        onError={() => setFailed(true)}
      />
    </div>
  );
}
