import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState, type ReactNode } from 'react';

import { useApi } from '../../api/context';
import { formatBytes } from '../../lib/format';
import {
  DataTable,
  ErrorNotice,
  Skeleton,
  useTrans,
  type IDataColumn
} from '../../ui';
import { fileQueries } from './queries';
import type { FileArea, Preview } from './types';

/** Draws a notebook of the run; the notebooks' own concern. */
export type NotebookRenderer = (area: FileArea, path: string) => ReactNode;

interface IFileProps {
  runId: string;
  area: FileArea;
  path: string;
  notebook: NotebookRenderer;
}

/** A safe look at a file: nothing of it is ever taken as HTML. */
export function FilePreview(props: IFileProps): JSX.Element {
  const { runId, area, path } = props;
  const trans = useTrans();
  const preview = useQuery(fileQueries.preview(useApi(), runId, area, path));
  if (preview.error) {
    return (
      <ErrorNotice
        title={trans.__('This file could not be shown.')}
        error={preview.error}
        onRetry={() => void preview.refetch()}
      />
    );
  }
  return preview.data ? (
    <Shown {...props} preview={preview.data} />
  ) : (
    <Skeleton shape="text" count={12} />
  );
}

function Shown(props: IFileProps & { preview: Preview }): JSX.Element {
  const { preview, area, path } = props;
  const trans = useTrans();
  switch (preview.kind) {
    case 'image':
      return <ImagePreview {...props} />;
    case 'table':
      return <TablePreview preview={preview} />;
    case 'notebook':
      return <>{props.notebook(area, path)}</>;
    case 'text':
    case 'json':
      return (
        <>
          <Truncated preview={preview} />
          {/* Reachable, so that the keyboard can scroll it. */}
          <pre
            className="jp-mlws-file-text"
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            tabIndex={0}
            aria-label={path}
          >
            {preview.text}
          </pre>
        </>
      );
    case 'too_large':
      return (
        <p className="jp-mlws-hint">
          {trans.__(
            'This file is too large to be shown here (%1). Download it to see it.',
            formatBytes(preview.size)
          )}
        </p>
      );
    case 'binary':
      return (
        <p className="jp-mlws-hint">
          {trans.__(
            'There is no viewer for this file (%1, %2). Download it to see it.',
            preview.media_type,
            formatBytes(preview.size)
          )}
        </p>
      );
  }
}

function Truncated(props: { preview: Preview }): JSX.Element | null {
  const trans = useTrans();
  return props.preview.truncated ? (
    <p className="jp-mlws-hint">
      {trans.__(
        'Only the beginning is shown. Download the file to see all of it.'
      )}
    </p>
  ) : null;
}

/** An image from a blob: a script in an SVG does not run inside of an <img>. */
function ImagePreview(props: IFileProps): JSX.Element {
  const { runId, area, path } = props;
  const trans = useTrans();
  const blob = useQuery(fileQueries.blob(useApi(), runId, area, path));
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!blob.data) {
      return;
    }
    const made = URL.createObjectURL(blob.data);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob.data]);
  if (blob.error) {
    return (
      <ErrorNotice
        title={trans.__('This image could not be loaded.')}
        error={blob.error}
        onRetry={() => void blob.refetch()}
      />
    );
  }
  return url ? (
    <div className="jp-mlws-file-image">
      <img src={url} alt={path} />
    </div>
  ) : (
    <Skeleton shape="block" height={240} />
  );
}

interface ITextRow {
  index: number;
  cells: string[];
}

function isNumeric(text: string | undefined): boolean {
  return (
    text !== undefined && text.trim() !== '' && !Number.isNaN(Number(text))
  );
}

/** As wide as the longest text of the first rows, within bounds; in px. */
function columnWidth(
  header: string,
  rows: readonly ITextRow[],
  column: number
): number {
  const longest = rows
    .slice(0, 50)
    .reduce(
      (most, { cells }) => Math.max(most, cells[column]?.length ?? 0),
      header.length + 2
    );
  return Math.min(320, Math.max(72, longest * 8 + 24));
}

function TablePreview(props: { preview: Preview }): JSX.Element {
  const { preview } = props;
  const trans = useTrans();
  const rows = useMemo<ITextRow[]>(
    () => (preview.rows ?? []).map((cells, index) => ({ index, cells })),
    [preview]
  );
  const columns = useMemo<IDataColumn<ITextRow>[]>(
    () =>
      (preview.columns ?? []).map((header, i) => {
        const numeric = rows
          .slice(0, 20)
          .every(({ cells }) => isNumeric(cells[i]));
        return {
          id: String(i),
          header,
          width: columnWidth(header, rows, i),
          align: numeric ? 'end' : 'start',
          value: row => (numeric ? Number(row.cells[i]) : row.cells[i]),
          cell: row => row.cells[i],
          title: row => row.cells[i]
        };
      }),
    [preview, rows]
  );
  return (
    <>
      <Truncated preview={preview} />
      <div className="jp-mlws-file-table">
        <DataTable
          label={preview.path}
          columns={columns}
          rows={rows}
          rowId={row => String(row.index)}
          empty={
            <p className="jp-mlws-hint">{trans.__('The table has no rows.')}</p>
          }
        />
      </div>
    </>
  );
}
