/** A webpack loader: the sources as Node.js runs them. */
const { stripTypeScriptTypes } = require('node:module')

module.exports = (source) => stripTypeScriptTypes(source)
