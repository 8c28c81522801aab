import { act, render, screen } from '@testing-library/react';

import { RelativeTime } from '../RelativeTime';

describe('RelativeTime', () => {
  it('goes on while it stands there, with one tick for all', () => {
    jest.useFakeTimers();
    const at = Date.now() - 10 * 60_000;
    const { unmount } = render(
      <>
        <RelativeTime at={at} />
        <RelativeTime at={at} words={time => `made ${time}`} />
      </>
    );
    expect(screen.getByText('10 minutes ago')).toBeInTheDocument();
    expect(jest.getTimerCount()).toBe(1);
    act(() => jest.advanceTimersByTime(5 * 60_000));
    expect(screen.getByText('15 minutes ago')).toBeInTheDocument();
    expect(screen.getByText('made 15 minutes ago')).toBeInTheDocument();
    unmount();
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
});
