import { fireEvent, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';

import { DataTable, type IDataColumn, type IDataTableProps } from '..';

interface IRun {
  id: string;
  name: string;
  acc: number | null;
}

const RUNS: IRun[] = [
  { id: '1', name: 'lr-10', acc: 0.98214 },
  { id: '2', name: 'lr-2', acc: NaN },
  { id: '3', name: 'lr-1', acc: 0.5 },
  { id: '4', name: 'lr-4', acc: null }
];

const COLUMNS: IDataColumn<IRun>[] = [
  {
    id: 'name',
    header: 'Name',
    value: run => run.name,
    cell: run => <a href={`#${run.id}`}>{run.name}</a>
  },
  {
    id: 'acc',
    header: 'Accuracy',
    value: run => run.acc,
    align: 'end',
    descFirst: true
  }
];

function Table(props: Partial<IDataTableProps<IRun>>): JSX.Element {
  return (
    <DataTable
      label="Runs"
      columns={COLUMNS}
      rows={RUNS}
      rowId={run => run.id}
      {...props}
    />
  );
}

function names(): (string | null)[] {
  return screen.getAllByRole('link').map(link => link.textContent);
}

// jsdom lays nothing out: a window of 280 px, so that the virtualizer shows rows.
beforeAll(() => {
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', {
    configurable: true,
    value: 280
  });
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', {
    configurable: true,
    value: 600
  });
  HTMLElement.prototype.scrollTo = jest.fn() as () => void;
});

describe('DataTable', () => {
  it('tells readers its size and shows numbers with 4 digits, all on hover', () => {
    render(<Table />);
    const grid = screen.getByRole('grid', { name: 'Runs' });
    expect(grid).toHaveAttribute('aria-rowcount', '5');
    expect(grid).toHaveAttribute('aria-colcount', '2');
    expect(screen.getByText('0.9821')).toHaveAttribute('title', '0.98214');
    expect(screen.getByText('NaN')).toBeInTheDocument();
  });

  it('sorts by a head, with blanks last both ways', async () => {
    const user = userEvent.setup();
    render(<Table />);
    const head = screen.getByRole('button', { name: 'Name' });
    await user.click(head);
    expect(names()).toEqual(['lr-1', 'lr-2', 'lr-4', 'lr-10']);
    expect(screen.getByRole('columnheader', { name: 'Name' })).toHaveAttribute(
      'aria-sort',
      'ascending'
    );
    const acc = screen.getByRole('button', { name: 'Accuracy' });
    await user.click(acc);
    expect(names().slice(0, 2)).toEqual(['lr-10', 'lr-1']);
    await user.click(acc);
    expect(names().slice(0, 2)).toEqual(['lr-1', 'lr-10']);
  });

  it('leaves the order to the server when it is given', async () => {
    const user = userEvent.setup();
    const onSortingChange = jest.fn();
    render(<Table sorting={[]} onSortingChange={onSortingChange} />);
    await user.click(screen.getByRole('button', { name: 'Accuracy' }));
    expect(onSortingChange).toHaveBeenCalledWith([{ id: 'acc', desc: true }]);
    expect(names()[0]).toBe('lr-10');
  });

  it('moves with the arrows and opens with Enter', async () => {
    const user = userEvent.setup();
    const onOpen = jest.fn();
    const onActivate = jest.fn();
    render(<Table onOpen={onOpen} onActivate={onActivate} />);
    const grid = screen.getByRole('grid');
    grid.focus();
    await user.keyboard('{ArrowDown}{ArrowDown}');
    expect(onActivate).toHaveBeenLastCalledWith(RUNS[1]);
    const id = grid.getAttribute('aria-activedescendant') ?? '';
    expect(
      within(document.getElementById(id)!).getByText('lr-2')
    ).toBeVisible();
    await user.keyboard('{Enter}');
    expect(onOpen).toHaveBeenCalledWith(RUNS[1]);
    await user.keyboard('{End}{ArrowDown}{Enter}');
    expect(onOpen).toHaveBeenLastCalledWith(RUNS[3]);
    await user.keyboard('{Home}{Enter}');
    expect(onOpen).toHaveBeenLastCalledWith(RUNS[0]);
  });

  it('keeps the active row when the order changes', async () => {
    const user = userEvent.setup();
    const onOpen = jest.fn();
    render(<Table onOpen={onOpen} />);
    screen.getByRole('grid').focus();
    await user.keyboard('{ArrowDown}');
    await user.click(screen.getByRole('button', { name: 'Name' }));
    screen.getByRole('grid').focus();
    await user.keyboard('{Enter}');
    expect(onOpen).toHaveBeenCalledWith(RUNS[0]);
  });

  it('opens by a double click, but leaves links alone', () => {
    const onOpen = jest.fn();
    render(<Table onOpen={onOpen} />);
    fireEvent.doubleClick(screen.getByText('lr-1'));
    expect(onOpen).not.toHaveBeenCalled();
    fireEvent.doubleClick(screen.getByText('0.5'));
    expect(onOpen).toHaveBeenCalledWith(RUNS[2]);
  });

  it('selects with Space and the boxes', async () => {
    const user = userEvent.setup();
    function Selecting(): JSX.Element {
      const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
      return (
        <>
          <Table selected={selected} onSelectedChange={setSelected} />
          <output>{[...selected].join()}</output>
        </>
      );
    }
    render(<Selecting />);
    screen.getByRole('grid').focus();
    await user.keyboard('{ArrowDown} ');
    await user.click(screen.getByRole('checkbox', { name: 'Select row 3' }));
    expect(screen.getByRole('status')).toHaveTextContent('1,3');
    await user.click(screen.getByRole('checkbox', { name: 'Select row 1' }));
    expect(screen.getByRole('status')).toHaveTextContent('3');
  });

  it('changes widths by Shift and arrows', () => {
    render(<Table />);
    const head = screen.getByRole('columnheader', { name: 'Name' });
    const button = screen.getByRole('button', { name: 'Name' });
    expect(head).toHaveStyle({ width: '120px' });
    fireEvent.keyDown(button, { key: 'ArrowRight', shiftKey: true });
    expect(head).toHaveStyle({ width: '136px' });
    for (let i = 0; i < 10; i += 1) {
      fireEvent.keyDown(button, { key: 'ArrowLeft', shiftKey: true });
    }
    expect(head).toHaveStyle({ width: '48px' });
  });

  it('draws only the rows on screen', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => ({
      id: String(i),
      name: `run ${i}`,
      acc: i
    }));
    render(<Table rows={many} />);
    expect(screen.getByRole('grid')).toHaveAttribute('aria-rowcount', '10001');
    expect(names().length).toBeGreaterThan(5);
    expect(names().length).toBeLessThan(60);
  });

  it('shows what there is to say when it is empty', () => {
    render(<Table rows={[]} empty={<p>No runs.</p>} />);
    expect(screen.getByText('No runs.')).toBeInTheDocument();
  });
});
