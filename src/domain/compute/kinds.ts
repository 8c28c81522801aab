/** What the form of each kind of target asks for. Pure. */

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITargetField, TargetKind } from './fields';
import { gatewayFields } from './gatewayFields';
import { lsfFields } from './lsfFields';
import { pbsFields } from './pbsFields';
import { rulesOf } from './rules';
import { slurmFields } from './slurmFields';
import { sshFields } from './sshFields';
import type { ComputeTarget } from './types';

const MAX_JOBS: Readonly<Record<TargetKind, number>> = {
  ssh: 1,
  slurm: 100,
  pbs: 100,
  lsf: 100,
  gateway: 1
};

/** What is said of a kind. */
export interface IKindWords {
  title: string;
  /** What it is for. */
  purpose: string;
  /** The form of a new one. */
  makes: string;
  /** The fields that are seldom set. */
  more: string;
  /** What cannot be changed of one that is there, and what a change means. */
  fixed: string;
}

/** The kinds, in words. */
export function kindWords(
  trans: TranslationBundle
): Readonly<Record<TargetKind, IKindWords>> {
  return {
    ssh: {
      title: trans.__('SSH host'),
      purpose: trans.__(
        'Commands and notebooks on a machine that this server logs into: a workstation with a GPU, a server of the lab.'
      ),
      makes: trans.__('New SSH host'),
      more: trans.__('Python, folder and more'),
      fixed: trans.__(
        'Its name and its kind stay. Jobs that run there are not moved.'
      )
    },
    slurm: {
      title: trans.__('Slurm cluster'),
      purpose: trans.__(
        'Commands and notebooks in the queue of a cluster, submitted from this server’s machine or from a login node.'
      ),
      makes: trans.__('New Slurm cluster'),
      more: trans.__('Python, logging and more'),
      fixed: trans.__(
        'Its name and its kind stay. What changes counts for jobs that are submitted from now on.'
      )
    },
    pbs: {
      title: trans.__('PBS cluster'),
      purpose: trans.__(
        'Commands and notebooks in the queue of Torque, OpenPBS or PBS Pro, submitted from this server’s machine or from a login node.'
      ),
      makes: trans.__('New PBS cluster'),
      more: trans.__('Python, resources, jobs at once and more'),
      fixed: trans.__(
        'Its name and its kind stay. What changes counts for jobs that are submitted from now on.'
      )
    },
    lsf: {
      title: trans.__('LSF cluster'),
      purpose: trans.__(
        'Commands and notebooks in the queue of IBM Spectrum LSF, submitted from this server’s machine or from a login node.'
      ),
      makes: trans.__('New LSF cluster'),
      more: trans.__('Python, application profile and more'),
      fixed: trans.__(
        'Its name and its kind stay. What changes counts for jobs that are submitted from now on.'
      )
    },
    gateway: {
      title: trans.__('Jupyter server'),
      purpose: trans.__(
        'Notebooks in kernels of another Jupyter server, or of a Jupyter Kernel or Enterprise Gateway.'
      ),
      makes: trans.__('New Jupyter server'),
      more: trans.__('Certificates, logging and more'),
      fixed: trans.__(
        'Its name and its kind stay. Jobs and kernels that were begun with another address end.'
      )
    }
  };
}

/** The fields of a target's form. */
export function targetFields(
  kind: TargetKind,
  target: ComputeTarget | null,
  trans: TranslationBundle
): readonly ITargetField[] {
  const own = {
    ssh: sshFields,
    slurm: slurmFields,
    pbs: pbsFields,
    lsf: lsfFields,
    gateway: gatewayFields
  };
  const { name, whole } = rulesOf(trans);
  const fields: ITargetField[] = [...own[kind](target, trans)];
  if (!target) {
    fields.unshift({
      name: 'name',
      label: trans.__('Name'),
      help: trans.__('Jobs name it so; it cannot be changed.'),
      required: true,
      problem: name
    });
    fields.push({
      name: 'max_jobs',
      label: trans.__('Jobs at once'),
      help:
        MAX_JOBS[kind] > 1
          ? trans.__('So many are given to its queue; the others wait here.')
          : trans.__('The others wait here. Limits… has more.'),
      now: String(MAX_JOBS[kind]),
      seldom: true,
      problem: whole(1, 1000),
      read: Number
    });
  }
  fields.push({
    name: 'description',
    label: trans.__('What it is'),
    help: trans.__('For people who choose a target.'),
    now: target?.description,
    seldom: true,
    emptied: ''
  });
  return fields;
}
