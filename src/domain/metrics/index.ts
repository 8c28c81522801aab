export { MetricsTab, type IMetricsTabProps } from './MetricsTab';
export { metricQueries, type MetricSummary } from './queries';
export { isUsage } from './usage';
export { Sparkline } from './Sparkline';
