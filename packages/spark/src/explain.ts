import { SparkError, type SparkErrorCode } from './errors.ts'
import type { Ending } from './spark-submit.ts'

/** What the job itself said before it ended. */
export interface Failure {
  readonly code: SparkErrorCode | null
  readonly message: string
}

/** Words of Spark, Hadoop, the JVM and the shell, and what to do about each. The first that is found decides. */
const known: readonly [pattern: RegExp, code: SparkErrorCode, advice: string][] = [
  [
    /JAVA_HOME is not set|java: (command )?not found|java: No such file|Unable to locate a Java Runtime/i,
    'java',
    'spark-submit finds no Java. Install Java 17 or later on every node, or set JAVA_HOME in spark.environment.',
  ],
  [
    /spark-class: (No such file|not found)|find_spark_home/i,
    'spark-submit',
    'spark-submit does not find its own Spark. Give spark.python, or PYSPARK_PYTHON, the path of the Python that has pyspark, or set SPARK_HOME.',
  ],
  [
    /UnsupportedClassVersionError|requires? Java 17|Unrecognized option: --add-modules/i,
    'java',
    'Java is too old for this Spark. Install Java 17 or later on every node, and let JAVA_HOME point to it.',
  ],
  [
    /VM option|Invalid (maximum|initial) heap size|Could not reserve enough space/i,
    'java',
    'Java does not start with these options. Check spark.driver.memory and spark.driver.extraJavaOptions.',
  ],
  [
    /Cannot run program "[^"]*python[^"]*"/i,
    'python',
    'Spark finds no Python on the driver. Install Python 3.10 or later with numpy, or give spark.python its path.',
  ],
  [
    /PYTHON_VERSION_MISMATCH|requires Python|Python \d\.\d+ is not supported/i,
    'python',
    'Python is not of a version that this Spark takes. Give spark.python the path of another one, with numpy.',
  ],
  [
    /unresolved dependenc(y|ies)|Server access error|RuntimeException: \[?download failed/i,
    's3a',
    'Spark could not fetch spark.packages. Check the names, or give the jars themselves by spark.jars.',
  ],
  [
    /ClassNotFoundException: Class org\.apache\.hadoop\.fs\.s3a|No FileSystem for scheme "s3a?"/,
    's3a',
    "A node has no S3A file system. Add spark.packages: ['org.apache.hadoop:hadoop-aws:VERSION'] of the version of its Hadoop.",
  ],
  [
    /NoAuthWithAWSException|AccessDeniedException|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|Status Code: 40[13]/,
    'credentials',
    'The store refuses the keys. Check s3.credentials, region and the bucket policy; a job needs keys that outlive it.',
  ],
  [
    /No space left on device|Disk quota exceeded/i,
    'disk',
    'A disk is full. Shuffles go to spark.local.dir of every node: give it more room, or fewer rows to the job.',
  ],
  [
    /OutOfMemoryError|GC overhead limit|Container killed by YARN for exceeding|exit(ed|ing)? (with|code:?) (code )?(52|137)\b/i,
    'memory',
    'A process ran out of memory. Raise spark.driver.memory (local) or spark.executor.memory, or the number of blocks.',
  ],
  [
    /Could not parse Master URL|Invalid master|Connection refused|Failed to connect to master|UnknownHostException/i,
    'failed',
    'Spark does not reach its master, or the store its host. Check spark.master and s3.endpoint.',
  ],
]

/** An error out of how a job ended. */
export function explain({ code, signal, log }: Ending, failure: Failure | undefined): SparkError {
  if (failure?.code) return new SparkError(failure.code, failure.message, log)
  const text = `${failure?.message ?? ''}\n${log}`
  const match = known.find(([pattern]) => pattern.test(text))
  const how = signal === null ? `exit code ${code}` : signal
  if (match) {
    const [pattern, kind, advice] = match
    const line = text.split('\n').find((each) => pattern.test(each)) ?? ''
    return new SparkError(kind, `${advice} Spark said: ${shortened(line)}`, log)
  }
  if (code === 52 || code === 137 || signal === 'SIGKILL') {
    const advice =
      'It was killed, most likely for want of memory: see spark.driver.memory and the limit of its container.'
    return new SparkError('memory', `spark-submit ended with ${how}. ${advice}`, log)
  }
  const last = failure?.message.split('\n')[0] ?? log.split('\n').findLast((line) => line.trim() !== '') ?? 'nothing'
  return new SparkError('failed', `spark-submit ended with ${how} and no model. It said: ${shortened(last)}`, log)
}

function shortened(line: string): string {
  const text = line.trim()
  return text.length <= 400 ? text : `${text.slice(0, 399)}…`
}
