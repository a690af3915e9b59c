import { tool } from './tool.ts';

const PROGRAM = `
import sys, xml.dom.minidom
document = xml.dom.minidom.parse(sys.argv[1])
print("\\n".join(element.tagName for element in document.getElementsByTagName("*")))
`;

/** The names of the elements of an XML file, in their order, by a parser that refuses whatever is not well-formed. */
export async function elementsOf(path: string): Promise<string[]> {
  return (await tool('python3', ['-c', PROGRAM, path])).trim().split('\n');
}
