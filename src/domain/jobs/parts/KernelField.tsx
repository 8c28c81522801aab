import { SelectField, useTrans } from '../../../ui';
import type { ISubject } from '../types';
import { useThere, type IThere } from '../useThere';
import type { IFieldsProps } from './AdvancedFields';

/** The kernel of a notebook, of those that its target has. */
export function KernelField(props: IFieldsProps): JSX.Element {
  const { form, problems, disabled, onChange, subject } = props;
  const trans = useTrans();
  const there = useThere(form.target, subject);
  const kernels = there.kernels ?? [];
  // Another server knows its kernels by other names than this one.
  const own = subject.kernel && there.nameOf(subject.kernel);
  const chosen = there.nameOf(form.kernel);
  const isListed = kernels.some(({ name }) => name === chosen);
  const options = kernels.map(({ name, display_name: label }) => ({
    value: name,
    label:
      name !== own
        ? label
        : subject.job
          ? trans.__('%1 · as before', label)
          : trans.__('%1 · notebook’s own', label)
  }));
  if (!isListed) {
    options.unshift({
      value: form.kernel,
      label: unlistedLabel(form.kernel, subject, there, trans)
    });
  }
  return (
    <SelectField
      label={trans.__('Kernel')}
      value={isListed ? chosen : form.kernel}
      options={options}
      error={problems.kernel}
      disabled={disabled}
      onChange={kernel =>
        onChange({ kernel: kernel === own ? (subject.kernel ?? '') : kernel })
      }
    />
  );
}

/** What is said of a kernel that the target does not list. */
function unlistedLabel(
  kernel: string,
  subject: ISubject,
  there: IThere,
  trans: ReturnType<typeof useTrans>
): string {
  if (!kernel) {
    return trans.__('Choose a kernel');
  }
  const isOwn = kernel === subject.kernel;
  const label = (isOwn && subject.kernel_display_name) || kernel;
  if (isOwn && there.instead) {
    return trans.__('%1 · runs in %2 there', label, there.instead);
  }
  // The name of another target's kernel says whose it is.
  return there.has(kernel) || there.whose(kernel)
    ? label
    : trans.__('%1 · not installed', label);
}
