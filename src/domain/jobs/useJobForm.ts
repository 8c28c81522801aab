import { useState } from 'react';

import { useTrans } from '../../ui';
import {
  findProblems,
  placeOf,
  type ISubmission,
  type Problems,
  type SubmissionField
} from './submission';
import type { ISubject } from './types';
import { useThere } from './useThere';

/** What a form holds, and what is wrong with it. */
export interface IJobForm {
  form: ISubmission;
  change: (part: Partial<ISubmission>) => void;
  /** What the form sees, else the server's objection at its field. */
  problems: Problems;
  /** Whether the form itself sees nothing wrong. */
  valid: boolean;
  /** The field that the server's objection is about; null where it is about none. */
  refused: SubmissionField | null;
}

/**
 * The state of a form that makes a job.
 *
 * @param sent - How the last try to send it went.
 */
export function useJobForm(
  start: () => ISubmission,
  subject: ISubject,
  sent: { error: Error | null; reset: () => void }
): IJobForm {
  const trans = useTrans();
  const [form, setForm] = useState(start);
  const refused = sent.error ? placeOf(sent.error, subject) : null;
  const there = useThere(form.target, subject);
  const own = findProblems(form, subject, trans, {
    has: kernel => there.asked || there.has(kernel),
    whose: there.whose
  });
  return {
    form,
    refused,
    problems: { ...(refused && { [refused]: sent.error?.message }), ...own },
    valid: Object.keys(own).length === 0,
    change: part => {
      setForm(before => ({ ...before, ...part }));
      // The server's objection was to what stood there before; to the question it stays.
      if (sent.error && refused !== 'confirm_large') {
        sent.reset();
      }
    }
  };
}
