import type { components } from '../../api/schema';

type Schemas = components['schemas'];

/** An environment of a workspace, with its newest version. */
export type Environment = Schemas['Environment'];
/** A page of them. */
export type EnvironmentList = Schemas['EnvironmentList'];
/** A version of one; it never changes, its build does. */
export type EnvironmentVersion = Schemas['EnvironmentVersion'];
/** Whether a version can be used on the server's machine. */
export type EnvironmentBuild = Schemas['EnvironmentBuild'];
/** How far a build is. */
export type BuildStatus = Schemas['BuildStatus'];
/** What an environment is made of. */
export type Definition = EnvironmentVersion['definition'];
/** What is sent to make one. */
export type EnvironmentCreate = Schemas['EnvironmentCreate'];
/** A name of elsewhere, and what it means here. */
export type EnvironmentAlias = Schemas['EnvironmentAlias'];
