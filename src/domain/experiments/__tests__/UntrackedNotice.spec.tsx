import { render, screen } from '@testing-library/react';

import { UntrackedNotice } from '../parts/UntrackedNotice';

describe('UntrackedNotice', () => {
  it('says why nothing is set in kernels, and what to set', () => {
    const { container, rerender } = render(<UntrackedNotice reason="" />);
    expect(container).toBeEmptyDOMElement();
    rerender(<UntrackedNotice reason="gateway" />);
    expect(
      screen.getByText('Kernels do not find this workspace')
    ).toBeInTheDocument();
    expect(container).toHaveTextContent(
      /behind a gateway.*MLWS_URL and MLWS_TOKEN.*MLFLOW_TRACKING_URI/
    );
    rerender(<UntrackedNotice reason="socket" />);
    expect(container).toHaveTextContent(/listens on a socket/);
  });
});
