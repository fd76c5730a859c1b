// A specification as a Vega view. Expressions are interpreted and not compiled, so that a page's
// content security policy can forbid everything but the page's own script.
import { parse, textMetrics, View, Warn } from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import { compile } from 'vega-lite';

/** Takes the width of texts from a function of text and size: Node.js has no canvas to ask. */
export function measureTextBy(widthOf) {
  textMetrics.width = (item, text) => {
    const shown = text ?? item.text;
    const bold = item.fontWeight === 'bold' || item.fontWeight >= 600 ? 1.14 : 1;
    return shown === undefined || shown === null ? 0 : widthOf(shown, item.fontSize || 11) * bold;
  };
}

/** Loads nothing from anywhere. */
const loader = {
  load: async uri => { throw new Error(`${uri}: charts load nothing`); },
  sanitize: async uri => { throw new Error(`${uri}: charts link nowhere`); },
};

export function view(spec, options) {
  const logger = { level: () => logger, error: console.error, warn: console.warn, info: () => logger, debug: () => logger };
  const { spec: compiled } = compile(spec, { logger });
  return new View(parse(compiled, null, { ast: true }), {
    expr: expressionInterpreter, loader, logLevel: Warn, ...options,
  });
}
