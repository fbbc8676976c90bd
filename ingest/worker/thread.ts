/** Entry of a builder thread. */
import { threadPort } from '../../core/threads.ts'
import { hostBuilders } from './builder-host.ts'

const port = threadPort()
if (port !== undefined) hostBuilders(port)
