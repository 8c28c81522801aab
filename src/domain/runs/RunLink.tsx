import { runAddress } from '../../lib/address';
import { PageLink } from '../../ui';

/** A run's name as a link to its page; needs a PagesProvider above it to open it in this Lab. */
export function RunLink(props: {
  run: { id: string; name: string };
  className?: string;
}): JSX.Element {
  const { run, className } = props;
  return (
    <PageLink
      address={runAddress(run.id)}
      title={run.name}
      className={`jp-mlws-ellipsis ${className ?? ''}`}
    >
      {run.name}
    </PageLink>
  );
}

/** Opens a run's page. */
export function openRun(
  pages: { open: (address: string) => void },
  id: string
): void {
  pages.open(runAddress(id));
}
