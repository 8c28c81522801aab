import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';

import {
  CheckboxField,
  Form,
  NumberField,
  SelectField,
  TextField,
  parseNumber
} from '../form';

describe('parseNumber', () => {
  it.each([
    ['1e-3', false, 0.001],
    [' 5 ', true, 5],
    ['0.5', true, null],
    ['1e-', false, null],
    ['', false, null],
    ['Infinity', false, null]
  ])('%p (integer %p) is %p', (text, integer, value) => {
    expect(parseNumber(text, integer)).toBe(value);
  });
});

function Rate(props: { seen: (value: number | null) => void }): JSX.Element {
  const [value, setValue] = useState<number | null>(0.1);
  return (
    <>
      <NumberField
        label="Rate"
        value={value}
        error={value === null ? 'Not a number' : undefined}
        onChange={next => {
          setValue(next);
          props.seen(next);
        }}
      />
      <button type="button" onClick={() => setValue(7)}>
        Reset
      </button>
    </>
  );
}

describe('NumberField', () => {
  it('keeps what is typed while it is no number yet', async () => {
    const user = userEvent.setup();
    const seen = jest.fn();
    render(<Rate seen={seen} />);
    const input = screen.getByLabelText('Rate');
    await user.clear(input);
    await user.type(input, '1e-');
    expect(input).toHaveValue('1e-');
    expect(input).toBeInvalid();
    expect(input).toHaveAccessibleDescription('Not a number');
    await user.type(input, '3');
    expect(seen).toHaveBeenLastCalledWith(0.001);
    expect(input).toHaveValue('1e-3');
    await user.click(screen.getByRole('button', { name: 'Reset' }));
    expect(input).toHaveValue('7');
  });
});

describe('fields', () => {
  it('are tied to their labels and helps', async () => {
    const user = userEvent.setup();
    const seen = jest.fn();
    render(
      <>
        <TextField label="Name" help="Any words" value="" onChange={seen} />
        <TextField label="Note" rows={3} value="" onChange={seen} />
        <CheckboxField label="Own folder" value={false} onChange={seen} />
        <SelectField
          label="Target"
          value="local"
          onChange={seen}
          options={[
            { value: 'local', label: 'This machine' },
            { value: 'gpu', label: 'GPU box' }
          ]}
        />
      </>
    );
    expect(screen.getByLabelText('Name')).toHaveAccessibleDescription(
      'Any words'
    );
    await user.type(screen.getByLabelText('Name'), 'a');
    await user.type(screen.getByLabelText('Note'), 'b');
    await user.click(screen.getByLabelText('Own folder'));
    await user.selectOptions(screen.getByLabelText('Target'), 'gpu');
    expect(seen.mock.calls).toEqual([['a'], ['b'], [true], ['gpu']]);
  });
});

describe('Form', () => {
  it('submits by its button, Enter and Ctrl+Enter, but not while busy', () => {
    const onSubmit = jest.fn();
    const form = (busy: boolean): JSX.Element => (
      <Form
        label="Submit a job"
        submitLabel="Submit"
        busy={busy}
        onSubmit={onSubmit}
      >
        <TextField label="Name" value="" onChange={() => undefined} />
      </Form>
    );
    const { rerender } = render(form(false));
    fireEvent.click(screen.getByRole('button', { name: 'Submit' }));
    fireEvent.keyDown(screen.getByLabelText('Name'), {
      key: 'Enter',
      ctrlKey: true
    });
    expect(onSubmit).toHaveBeenCalledTimes(2);
    rerender(form(true));
    fireEvent.keyDown(screen.getByLabelText('Name'), {
      key: 'Enter',
      metaKey: true
    });
    expect(onSubmit).toHaveBeenCalledTimes(2);
  });

  it('shows what the last try failed with, and can be left', () => {
    const onCancel = jest.fn();
    render(
      <Form
        label="f"
        submitLabel="Go"
        onSubmit={jest.fn()}
        onCancel={onCancel}
        error={new Error('Taken.')}
      >
        {null}
      </Form>
    );
    expect(screen.getByRole('alert')).toHaveTextContent('Taken.');
    fireEvent.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(onCancel).toHaveBeenCalledTimes(1);
  });
});
