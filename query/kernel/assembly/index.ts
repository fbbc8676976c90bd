/** What the kernel exports. Compiled by scripts/kernel/compile.ts. */
export { project, setPlan, setScratch } from './project'
export { selectStrings, selectTexts, selectTimes } from './select'

/** Where the memory begins that the compiler did not use. */
export function freeAt(): usize {
  return __heap_base
}
