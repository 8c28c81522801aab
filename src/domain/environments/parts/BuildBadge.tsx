import { StatusIcon, useTrans } from '../../../ui';
import { BUILD_ICONS, buildLabel } from '../format';
import type { EnvironmentBuild } from '../types';

/** How far a build is: an icon and a word. */
export function BuildBadge(props: { build: EnvironmentBuild }): JSX.Element {
  const { status, message } = props.build;
  const trans = useTrans();
  const label = buildLabel(status, trans);
  return (
    <span
      className="jp-mlws-status"
      data-status={BUILD_ICONS[status]}
      title={message ? trans.__('%1: %2', label, message) : label}
    >
      <StatusIcon status={BUILD_ICONS[status]} />
      <span className="jp-mlws-status-word">{label}</span>
    </span>
  );
}
