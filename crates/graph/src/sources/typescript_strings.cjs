// Prints the place of each literal in files, as the compiler of TypeScript finds them.
const [, , compiler, ...files] = process.argv
const fs = require('fs')
const ts = require(compiler)

for (const file of files) {
  // One character for each byte, so that places are those of bytes.
  const text = fs.readFileSync(file, 'latin1')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    const isText = [
      ts.isStringLiteral,
      ts.isNoSubstitutionTemplateLiteral,
      ts.isTemplateExpression,
      ts.isTemplateLiteralTypeNode,
    ].some((is) => is(node))
    if (isText) {
      found.push([node.getStart(), node.getEnd()])
    } else {
      ts.forEachChild(node, visit)
    }
  }
  visit(source)
  console.log(JSON.stringify([file, found]))
}
