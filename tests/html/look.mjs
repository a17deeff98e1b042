// Looks at an HTML report as a person does: in Chromium at 1280 and 390 pixels, light and dark, and printed as A4; then
// asks axe-core for faults. Pictures go into FOLDER; the exit code is 1 if a fault is serious, if something was asked of
// the network, or if the page is wider than its window.
//
//   npm ci --prefix tests/html && node tests/html/look.mjs REPORT.html FOLDER
//
// CHROMIUM names the browser (default /usr/bin/chromium).
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [page, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node look.mjs REPORT.html FOLDER');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), 'look-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const address = pathToFileURL(resolve(page)).href;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
let faults = 0;
const fault = (text) => {
  faults += 1;
  console.log(`fault: ${text}`);
};

for (const width of [1280, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    const name = `${width}-${colorScheme}`;
    const tab = await context.newPage();
    tab.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:')) fault(`${name} asks for ${request.url()}`);
    });
    tab.on('console', (message) => {
      if (message.type() === 'error') fault(`${name}: ${message.text()}`);
    });
    await tab.setViewportSize({ width, height: 900 });
    await tab.emulateMedia({ colorScheme });
    await tab.goto(address);
    await tab.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) fault(`${name} is ${wide} pixels wide`);
    if (width === 1280 && colorScheme === 'light') {
      await tab.pdf({ path: join(folder, 'print.pdf'), preferCSSPageSize: true });
    }
    // the page's own policy runs no script; the browser's debugger may
    const { violations } = await tab.evaluate(`${axe}; axe.run()`);
    for (const { id, impact, help, nodes } of violations) {
      const where = nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ');
      const told = `${name}: ${impact}: ${id}: ${help} (${nodes.length}: ${where})`;
      if (['serious', 'critical'].includes(impact)) fault(told);
      else console.log(told);
    }
    await tab.close();
  }
}
await context.close();
rmSync(profile, { recursive: true, force: true });
console.log(faults === 0 ? 'no faults' : `${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
