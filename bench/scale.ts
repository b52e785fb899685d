/** How the time of a synthesis (constructing and writing the manifests) grows with the number of services. */
import { hospital } from './app';
import { measure, median, milliseconds, times } from './measure';

measure((outdir, rounds) => {
  const synth = (services: number, charts?: number): void => hospital(outdir, services, charts).synth();
  times(5, () => synth(100));

  const hundred: number[] = [];
  const thousand: number[] = [];
  times(rounds, () => {
    const few = milliseconds(() => times(30, () => synth(10))) / 30;
    const some = milliseconds(() => times(6, () => synth(100))) / 6;
    hundred.push(some / few);
    thousand.push(milliseconds(() => synth(1000)) / some);
  });

  const tenCharts: number[] = [];
  const hundredCharts: number[] = [];
  times(Math.ceil(rounds / 3), () => {
    const oneChart = milliseconds(() => synth(1000));
    tenCharts.push(milliseconds(() => synth(1000, 10)) / oneChart);
    hundredCharts.push(milliseconds(() => synth(1000, 100)) / oneChart);
  });
  return {
    hundred: median(hundred),
    thousand: median(thousand),
    tenCharts: median(tenCharts),
    hundredCharts: median(hundredCharts),
  };
});
