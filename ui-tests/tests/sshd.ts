import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { expect } from '@playwright/test';

import { freePort } from './ports';

const SHOWN = 60_000;

/** OpenSSH's server; undefined where it is not installed. */
export const SSHD = ['/usr/sbin/sshd', '/usr/libexec/sshd'].find(existsSync);

/** An sshd of this test, on loopback, with its own host key and one key that it lets in. */
export class Sshd {
  private process: ChildProcess | null = null;
  folder = '';
  port = 0;

  /** @param environment - What those who log in have in their environment. */
  constructor(private readonly environment: Record<string, string> = {}) {}

  async start(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'mlws-sshd-'));
    for (const name of ['host_key', 'key']) {
      const path = join(this.folder, name);
      const args = ['-q', '-t', 'ed25519', '-N', '', '-f', path];
      execFileSync('ssh-keygen', args);
    }
    const file = (name: string): string => join(this.folder, name);
    await copyFile(file('key.pub'), file('authorized_keys'));
    this.port = await freePort();
    if (userInfo().uid === 0) {
      await mkdir('/run/sshd', { recursive: true });
    }
    const options = [
      'ListenAddress=127.0.0.1',
      `Port=${this.port}`,
      `HostKey=${file('host_key')}`,
      `AuthorizedKeysFile=${file('authorized_keys')}`,
      `PidFile=${file('sshd.pid')}`,
      'PasswordAuthentication=no',
      'PermitRootLogin=yes',
      'StrictModes=no',
      'UsePAM=no',
      ...this.given()
    ].flatMap(option => ['-o', option]);
    // -r: in a sandbox it may not start itself anew for each connection.
    this.process = spawn(
      String(SSHD),
      ['-D', '-e', '-r', '-f', '/dev/null', ...options],
      { stdio: 'ignore' }
    );
    await expect.poll(() => answers(this.port), { timeout: SHOWN }).toBe(true);
  }

  async stop(): Promise<void> {
    const ending = this.process;
    this.process = null;
    if (ending) {
      const ended = once(ending, 'exit');
      ending.kill();
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private given(): string[] {
    const pairs = Object.entries(this.environment).map(
      ([name, value]) => `${name}=${value}`
    );
    return pairs.length > 0 ? [`SetEnv=${pairs.join(' ')}`] : [];
  }

  get fingerprint(): string {
    const path = join(this.folder, 'host_key.pub');
    const said = execFileSync('ssh-keygen', ['-l', '-f', path]).toString();
    return said.split(' ')[1];
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
