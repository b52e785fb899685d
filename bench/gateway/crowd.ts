/** `crowd.js URL PER_SECOND SECONDS SERVICE_MS`: normal and batch requests at even intervals; prints how many were shed. */
import { Agent } from 'node:http';
import { stream, time } from './callers';

async function main([url = '', perSecond, seconds, serviceMs = '']: string[]): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const answers = await stream(Number(perSecond), Number(seconds), () =>
    time(url, agent, 'question', {
      'x-mediform-priority': Math.random() < 0.5 ? 'normal' : 'batch',
      'x-service-ms': serviceMs,
    }),
  );
  agent.destroy();
  console.log(answers.filter(({ status }) => status === 503).length);
}

void main(process.argv.slice(2));
