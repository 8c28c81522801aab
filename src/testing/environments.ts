import type { components } from '../api/schema';

type Environment = components['schemas']['Environment'];
type EnvironmentBuild = components['schemas']['EnvironmentBuild'];
type EnvironmentVersion = components['schemas']['EnvironmentVersion'];

/** A build that has ended well. */
export function aBuild(part: Partial<EnvironmentBuild> = {}): EnvironmentBuild {
  return {
    status: 'Ready',
    message: '',
    hash: 'abc',
    started_at: null,
    ended_at: null,
    interpreter: null,
    ...part
  };
}

/** The first version of an environment of packages. */
export function aVersion(
  part: Partial<EnvironmentVersion> = {}
): EnvironmentVersion {
  return {
    name: 'sklearn',
    version: 1,
    definition: {
      kind: 'requirements',
      requirements: 'scikit-learn==1.5.2\n'
    },
    description: '',
    tags: {},
    created_at: Date.UTC(2026, 0, 1),
    created_by: 'ada',
    archived: false,
    build: aBuild(),
    ...part
  };
}

/** An environment with one version. */
export function anEnvironment(part: Partial<Environment> = {}): Environment {
  return {
    name: 'sklearn',
    archived: false,
    versions: 1,
    latest: aVersion(),
    ...part
  };
}
