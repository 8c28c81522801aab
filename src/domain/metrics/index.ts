export { MetricsTab, type IMetricsTabProps } from './MetricsTab';
export { metricQueries, type MetricSummary } from './queries';
export { Sparkline } from './Sparkline';
