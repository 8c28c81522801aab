import { closeIcon } from '@jupyterlab/ui-components';
import { useEffect, useRef, useState, type RefObject } from 'react';

import { ErrorNotice, IconButton, useTrans } from '../../../ui';
import { parseTag } from '../tags';
import { useUpdateRun } from '../mutations';
import type { Run } from '../types';
import { Card } from './Card';

/** Tags, added by "key=value" and Enter, removed by a press; seen at once. */
export function TagsCard(props: { run: Run }): JSX.Element {
  const { run } = props;
  const trans = useTrans();
  const update = useUpdateRun(run.id);
  const [text, setText] = useState('');
  const tags = Object.entries(run.tags).filter(
    ([key]) => !/^(mlflow|mlws)\./.test(key)
  );
  const [list, removed] = useFocusNext(tags.length);
  const tag = parseTag(text);
  const add = (): void => {
    if (tag) {
      update.mutate({ tags: { [tag.key]: tag.value } });
      setText('');
    }
  };
  return (
    <Card title={trans.__('Tags')}>
      <ul ref={list} className="jp-mlws-tags">
        {tags.map(([key, value], index) => (
          <li key={key} className="jp-mlws-tag">
            <span
              className="jp-mlws-ellipsis"
              title={value ? `${key}=${value}` : key}
            >
              {value ? `${key}=${value}` : key}
            </span>
            <IconButton
              icon={closeIcon}
              label={trans.__('Remove tag %1', key)}
              onClick={() => {
                removed(index);
                update.mutate({ tags: { [key]: null } });
              }}
            />
          </li>
        ))}
        <li>
          <input
            type="text"
            className="jp-mlws-input jp-mlws-tag-input"
            aria-label={trans.__('Add a tag')}
            placeholder={trans.__('key=value, Enter')}
            value={text}
            onChange={event => setText(event.target.value)}
            onKeyDown={event => {
              if (event.key === 'Enter') {
                add();
              }
            }}
          />
        </li>
      </ul>
      {update.error && <ErrorNotice error={update.error} />}
    </Card>
  );
}

/** When a tag goes, the focus goes to the next one, or to the field behind the last. */
function useFocusNext(
  count: number
): [RefObject<HTMLUListElement>, (index: number) => void] {
  const list = useRef<HTMLUListElement>(null);
  const gone = useRef<number | null>(null);
  const before = useRef(count);
  useEffect(() => {
    if (gone.current !== null && count < before.current) {
      const stops =
        list.current?.querySelectorAll<HTMLElement>('button, input');
      stops?.[gone.current]?.focus();
      gone.current = null;
    }
    before.current = count;
  }, [count]);
  return [
    list,
    index => {
      gone.current = index;
    }
  ];
}
