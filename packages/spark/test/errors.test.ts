import { expect, test } from 'vitest'
import { SparkError, type SparkErrorCode, trainOnSpark } from '../src/index.ts'
import { fakeSpark, says } from './fake-spark.ts'

async function failureOf(script: string, spark: Record<string, unknown> = {}): Promise<SparkError> {
  const { folder: _, ...options } = fakeSpark(script)
  const error = await trainOnSpark({ ...options, spark: { ...options.spark, ...spark } }).catch((reason) => reason)
  expect(error).toBeInstanceOf(SparkError)
  return error
}

/** What spark-submit says on its way down, and the sentence that comes of it. */
const endings: [what: string, script: string, code: SparkErrorCode, message: RegExp][] = [
  [
    'no Java',
    'echo "JAVA_HOME is not set" >&2; exit 1',
    'java',
    /^spark-submit finds no Java\. Install Java 17 or later on every node, or set JAVA_HOME/,
  ],
  [
    'a spark-submit without its Spark',
    'echo "spark-submit: line 27: /bin/spark-class: No such file or directory" >&2; exit 127',
    'spark-submit',
    /^spark-submit does not find its own Spark\. Give spark\.python, or PYSPARK_PYTHON, .* SPARK_HOME/,
  ],
  [
    'an old Java',
    'echo "Error: LinkageError occurred: java.lang.UnsupportedClassVersionError: org/apache/spark/launcher/Main" >&2; exit 1',
    'java',
    /^Java is too old for this Spark\. Install Java 17 or later/,
  ],
  [
    'more heap than there is memory',
    'echo "Error occurred during initialization of VM" >&2; echo "Could not reserve enough space for 99999999KB object heap" >&2; exit 1',
    'java',
    /^Java does not start with these options\. Check spark\.driver\.memory .* Spark said: Could not reserve enough space/,
  ],
  [
    'no Python',
    `echo 'Exception in thread "main" java.io.IOException: Cannot run program "python3": error=2' >&2; exit 1`,
    'python',
    /^Spark finds no Python on the driver\. Install Python 3\.10 or later with numpy, or give spark\.python its path\./,
  ],
  [
    'no numpy',
    `${says('failed', { code: 'python', message: '/usr/bin/python3 has no numpy (No module). Install it: pip install numpy' })}exit 1`,
    'python',
    /^\/usr\/bin\/python3 has no numpy/,
  ],
  [
    'an old Spark',
    `${says('failed', { code: 'version', message: 'Spark is 3.4.1, expected 4.0 or later.' })}exit 1`,
    'version',
    /^Spark is 3\.4\.1, expected 4\.0/,
  ],
  [
    'packages that cannot be fetched',
    'echo ":: unresolved dependencies ::"; exit 1',
    's3a',
    /^Spark could not fetch spark\.packages/,
  ],
  [
    'no S3A on a node',
    `${says('failed', { code: null, message: 'Py4JJavaError: java.lang.RuntimeException: java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found' })}exit 1`,
    's3a',
    /^A node has no S3A file system\. Add spark\.packages/,
  ],
  [
    'refused keys',
    `${says('failed', { code: null, message: 'Py4JJavaError: java.nio.file.AccessDeniedException: s3a://shop/haves: getFileStatus' })}exit 1`,
    'credentials',
    /^The store refuses the keys\. Check s3\.credentials/,
  ],
  [
    'a full disk',
    `${says('failed', { code: null, message: 'Py4JJavaError: java.io.IOException: No space left on device' })}exit 1`,
    'disk',
    /^A disk is full\. Shuffles go to spark\.local\.dir/,
  ],
  [
    'too little memory',
    `${says('failed', { code: null, message: 'Py4JJavaError: ... java.lang.OutOfMemoryError: Java heap space' })}exit 1`,
    'memory',
    /^A process ran out of memory\. Raise spark\.driver\.memory/,
  ],
  [
    'an executor killed',
    'echo "ExecutorLostFailure (executor 3 exited with code 137)"; exit 1',
    'memory',
    /^A process/,
  ],
  ['the driver killed', 'kill -9 $$', 'memory', /^spark-submit ended with SIGKILL\. It was killed, most likely/],
  [
    'no master',
    'echo "java.io.IOException: Failed to connect to master:7077" >&2; exit 1',
    'failed',
    /^Spark does not reach its master, or the store its host\. Check spark\.master/,
  ],
  [
    'anything else',
    'echo "something odd" >&2; exit 3',
    'failed',
    /^spark-submit ended with exit code 3 and no model\. It said: something odd$/,
  ],
  ['an end without a result', 'exit 0', 'failed', /^spark-submit ended with exit code 0 and no model/],
  [
    'a result and then an exit code',
    `${says('done', { entries: 1 })}echo "shutdown failed" >&2; exit 1`,
    'failed',
    /^spark-submit ended with exit code 1/,
  ],
]

test.for(endings)('%s', async ([, script, code, message]) => {
  const error = await failureOf(script)
  expect(error.message).toMatch(message)
  expect(error.code).toBe(code)
})

test('the last lines are kept', async () => {
  const { log } = await failureOf('i=0; while [ $i -lt 200 ]; do echo "line $i"; i=$((i+1)); done; exit 1')
  expect(log.split('\n')).toHaveLength(60)
  expect(log).toMatch(/line 199$/)
})

test('spark-submit that is not there, or no program', async () => {
  const absent = await failureOf('', { submit: 'no-such-spark-submit' })
  expect(absent.code).toBe('spark-submit')
  expect(absent.message).toMatch(
    /^"no-such-spark-submit" was not found\. Install Spark 4 \(pip install pyspark numpy\)/,
  )
  const folder = await failureOf('', { submit: import.meta.dirname })
  expect(folder.message).toContain('cannot be started (EACCES)')
})
