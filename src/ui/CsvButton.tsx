import { downloadIcon } from '@jupyterlab/ui-components';

import { toCsv, type CsvValue } from '../lib/csv';
import { useTrans } from './trans';

export interface ICsvButtonProps {
  /** What it saves, e.g. "Download the parameters as CSV". */
  label: string;
  /** Name of the file, with its ending. */
  file: string;
  columns: readonly string[];
  /** Called at the click. */
  rows: () => readonly (readonly CsvValue[])[];
}

/** Saves a table that stands on the page as a CSV file. */
export function CsvButton(props: ICsvButtonProps): JSX.Element {
  const { label, file, columns, rows } = props;
  const trans = useTrans();
  return (
    <button
      type="button"
      className="jp-mlws-button jp-mlws-button-small jp-mlws-button-icon"
      aria-label={label}
      title={label}
      onClick={() => save(toCsv(columns, rows()), file)}
    >
      <downloadIcon.react tag="span" aria-hidden="true" />
      {trans.__('CSV')}
    </button>
  );
}

function save(text: string, file: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file;
  link.click();
  // The browser has taken hold of it by then.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
