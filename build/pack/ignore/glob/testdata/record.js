// Answers for minimatch, as vsce calls it.
//
//   node record.js FOLDER-OF-MINIMATCH
//
// stdin and stdout: a JSON list, of {"pattern": …, "paths": […]} in, of
// {"pattern": …, "yes": […], "no": […]} out; "error" instead if it threw one, or
// if its regular expression has not come to an end after five seconds.
const { minimatch } = require(process.argv[2]);
const script = new (require('vm').Script)('answer()');

function answer({ pattern, paths }) {
  globalThis.answer = () => {
    const found = { pattern, yes: [], no: [] };
    for (const path of paths) {
      (minimatch(path, pattern, { dot: true }) ? found.yes : found.no).push(path);
    }
    return found;
  };
  try {
    return script.runInThisContext({ timeout: 5000 });
  } catch (error) {
    return { pattern, error: error.message.split('\n')[0] };
  }
}

const questions = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(questions.map(answer)));
