import { refreshIcon } from '@jupyterlab/ui-components';
import { act, fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';

import { ConnectionError } from '../../api/errors';
import {
  CopyButton,
  EmptyState,
  ErrorNotice,
  IconButton,
  RUN_STATUSES,
  Skeleton,
  StatusBadge,
  Tabs
} from '..';
import { tabAfterKey } from '../Tabs';

describe('StatusBadge', () => {
  it('has an own icon and an own word for each status', () => {
    const looks = RUN_STATUSES.map(status => {
      const { container, unmount } = render(<StatusBadge status={status} />);
      const look = [
        container.querySelector('svg')?.innerHTML,
        container.textContent
      ];
      unmount();
      return look;
    });
    expect(new Set(looks.map(([icon]) => icon)).size).toBe(RUN_STATUSES.length);
    expect(new Set(looks.map(([, word]) => word)).size).toBe(
      RUN_STATUSES.length
    );
  });

  it('says why on hover, and keeps the word when compact', () => {
    render(<StatusBadge status="Queued" reason="waits for a slot" compact />);
    expect(screen.getByTitle('Queued: waits for a slot')).toHaveTextContent(
      'Queued'
    );
  });
});

describe('IconButton', () => {
  it('has a name and a tooltip with its key', async () => {
    const onClick = jest.fn();
    render(
      <IconButton
        icon={refreshIcon}
        label="Refresh"
        shortcut="r"
        onClick={onClick}
      />
    );
    const button = screen.getByRole('button', { name: 'Refresh' });
    expect(button).toHaveAttribute('title', 'Refresh (r)');
    await userEvent.click(button);
    expect(onClick).toHaveBeenCalledTimes(1);
  });
});

describe('CopyButton', () => {
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  it('copies and says so', async () => {
    const user = userEvent.setup();
    render(<CopyButton text={() => 'secret'} label="Copy id" />);
    await user.click(screen.getByRole('button', { name: 'Copy id' }));
    expect(await navigator.clipboard.readText()).toBe('secret');
    expect(screen.getByRole('status')).toHaveTextContent('Copied');
  });

  it('says so when the browser forbids it', async () => {
    const user = userEvent.setup();
    jest.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error());
    render(<CopyButton text="x" />);
    await user.click(screen.getByRole('button', { name: 'Copy' }));
    expect(screen.getByRole('status')).toHaveTextContent('blocked');
  });

  it('forgets after a moment', async () => {
    userEvent.setup();
    jest.useFakeTimers();
    render(<CopyButton text="x" withWord />);
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: 'Copy' }));
      await jest.advanceTimersByTimeAsync(100);
    });
    expect(screen.getByRole('button')).toHaveTextContent('Copied');
    act(() => {
      jest.advanceTimersByTime(2000);
    });
    expect(screen.getByRole('button')).toHaveTextContent(/^Copy$/);
  });
});

describe('EmptyState', () => {
  it('has one sentence, one button and one line of code', async () => {
    const onClick = jest.fn();
    render(
      <EmptyState
        text="Nothing yet."
        action={{ label: 'Start', onClick }}
        code="x = 1"
      />
    );
    await userEvent.click(screen.getByRole('button', { name: 'Start' }));
    expect(onClick).toHaveBeenCalledTimes(1);
    expect(screen.getByText('x = 1')).toBeInTheDocument();
    expect(
      screen.getByRole('button', { name: 'Copy this line' })
    ).toBeInTheDocument();
  });
});

describe('ErrorNotice', () => {
  it('shows the sentence and offers another try', async () => {
    const onRetry = jest.fn();
    render(
      <ErrorNotice
        title="No runs."
        error={new Error('Why.')}
        onRetry={onRetry}
      />
    );
    expect(screen.getByRole('alert')).toHaveTextContent('No runs.Why.');
    await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
    expect(onRetry).toHaveBeenCalledTimes(1);
  });

  it.each([
    [new ConnectionError(new TypeError('Failed to fetch')), /does not answer/],
    ['text', /text/],
    [{}, /no reason/]
  ])('makes a sentence of %p', (error, sentence) => {
    render(<ErrorNotice error={error} />);
    expect(screen.getByRole('alert')).toHaveTextContent(sentence);
  });

  it('copies all that is known', async () => {
    const user = userEvent.setup();
    const error = Object.assign(new Error('Why.'), { code: 'x', status: 404 });
    render(<ErrorNotice error={error} />);
    await user.click(screen.getByRole('button', { name: 'Copy details' }));
    const text = await navigator.clipboard.readText();
    expect(text).toMatch(/message: Why\./);
    expect(text).toMatch(/status: 404/);
    expect(text).toMatch(/components\.spec/);
  });
});

describe('Skeleton', () => {
  it('tells readers that something is coming', () => {
    const { container } = render(<Skeleton count={3} />);
    expect(screen.getByRole('status')).toHaveTextContent('Loading…');
    expect(container.querySelectorAll('.jp-mlws-skeleton-line')).toHaveLength(
      3
    );
    render(<Skeleton shape="block" height={50} />);
  });
});

function ThreeTabs(): JSX.Element {
  const [selected, select] = useState('a');
  return (
    <Tabs
      label="Parts"
      selected={selected}
      onSelect={select}
      tabs={['a', 'b', 'c'].map(id => ({
        id,
        label: id.toUpperCase(),
        badge: id === 'b' ? 7 : undefined,
        render: () => `content of ${id}`
      }))}
    />
  );
}

describe('Tabs', () => {
  it('moves and selects with the arrows, with one tab stop', async () => {
    const user = userEvent.setup();
    render(<ThreeTabs />);
    await user.tab();
    expect(screen.getByRole('tab', { name: 'A' })).toHaveFocus();
    await user.keyboard('{ArrowRight}');
    expect(screen.getByRole('tab', { name: /B/ })).toHaveFocus();
    expect(screen.getByRole('tabpanel')).toHaveTextContent('content of b');
    await user.keyboard('{End}');
    expect(screen.getByRole('tabpanel')).toHaveTextContent('content of c');
    await user.keyboard('{ArrowRight}');
    expect(screen.getByRole('tabpanel')).toHaveTextContent('content of a');
    await user.tab();
    expect(screen.getByRole('tabpanel')).toHaveFocus();
  });

  it('knows its keys', () => {
    expect(tabAfterKey('ArrowLeft', 0, 3)).toBe(2);
    expect(tabAfterKey('Home', 2, 3)).toBe(0);
    expect(tabAfterKey('x', 2, 3)).toBeNull();
  });
});
