export { deleteSecret, setSecret } from './mutations';
export { secretKeys, secretQueries, type Secret } from './queries';
export { SecretsSection } from './SecretsSection';
