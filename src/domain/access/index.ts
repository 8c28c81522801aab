export { accessQueries } from './queries';
