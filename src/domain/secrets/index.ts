export { secretQueries, type Secret } from './queries';
export { SecretsSection } from './SecretsSection';
