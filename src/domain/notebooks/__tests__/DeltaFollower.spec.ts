import { DeltaFollower } from '../DeltaFollower';
import type { NotebookDocument } from '../NotebookDocument';
import type { NotebookSource } from '../NotebookSource';

describe('DeltaFollower', () => {
  it('breaks off when nobody looks any more, and writes nothing then', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const answers: (() => void)[] = [];
    const source = {
      read: (_part: object, signal?: AbortSignal) => {
        signals.push(signal);
        return new Promise(resolve =>
          answers.push(() =>
            resolve({ next_offset: 1, deltas: [], more: true, done: false })
          )
        );
      }
    } as unknown as NotebookSource;
    const apply = jest.fn(() => Promise.resolve());
    const document = { size: 0, apply } as unknown as NotebookDocument;
    const follower = new DeltaFollower(source, document);
    const work = follower.catchUp();
    answers[0]?.();
    await Promise.resolve();
    await new Promise(resolve => setTimeout(resolve));
    expect(apply).toHaveBeenCalledTimes(1);
    expect(signals).toHaveLength(2);
    follower.dispose();
    expect(signals[1]?.aborted).toBe(true);
    answers[1]?.();
    await work;
    expect(apply).toHaveBeenCalledTimes(1);
    expect(signals).toHaveLength(2);
  });
});
