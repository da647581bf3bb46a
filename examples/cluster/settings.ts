import type { SparkOptions } from '@seesaw/spark'
import { ConfigurationError, type Environment } from '../configuration/read-configuration.ts'
import type { SeesawConfig } from '../configuration/schema.ts'

/** What train-on-cluster.ts is told beside the configuration that it shares with train.ts. */
export interface ClusterSettings {
  /** Where Spark reads and writes, reached by all nodes. */
  readonly directory: string
  readonly spark: SparkOptions
  readonly blocks?: number
}

/** Its variables, and what each means. */
export const clusterVariables: Readonly<Record<string, string>> = {
  WORK_DIR: 'required: a folder or s3://bucket/prefix/ that all nodes reach, for entries, checkpoints and vectors',
  SPARK_MASTER: "'local[*]', 'local[N]', 'spark://host:port', 'yarn' or 'k8s://…' [local[*]]",
  SPARK_SUBMIT: 'path of spark-submit; its Python is PYSPARK_PYTHON or that of its virtual environment [spark-submit]',
  SPARK_CONF: "properties, as 'spark.executor.memory=16g spark.jars.packages=org.apache.hadoop:hadoop-aws:3.5.0'",
  SPARK_BLOCKS: 'blocks of users and of items [max(10, entries / 10 million)]',
}

/** @throws ConfigurationError with every variable that is not usable */
export function readClusterSettings(environment: Environment): ClusterSettings {
  const problems: string[] = []
  const directory = environment.WORK_DIR?.trim()
  if (!directory) problems.push('WORK_DIR: not set: name a folder or s3://bucket/prefix/ that all nodes reach')
  else if (/^(?!s3:)[a-z][a-z0-9+.-]+:\/\//i.test(directory)) {
    problems.push(`WORK_DIR=${directory}: expected s3://bucket/prefix/ or a folder: vectors are read from it here, too`)
  }
  const blocks = environment.SPARK_BLOCKS?.trim()
  if (blocks && !/^[1-9]\d{0,4}$/.test(blocks)) {
    problems.push(`SPARK_BLOCKS=${blocks}: expected an integer from 1 to 99999`)
  }
  const conf = readProperties(environment.SPARK_CONF?.trim() ?? '', problems)
  if (problems.length > 0) throw new ConfigurationError(problems)
  const { SPARK_SUBMIT: submit, SPARK_MASTER: master } = environment
  return {
    directory: directory!,
    spark: { environment, conf, ...(submit && { submit }), ...(master && { master }) },
    ...(blocks && { blocks: Number(blocks) }),
  }
}

/** The settings as lines `NAME value`. */
export function describeCluster({ directory, spark, blocks }: ClusterSettings): string[] {
  const conf = Object.entries(spark.conf ?? {}).map(([name, value]) => `${name}=${value}`)
  const values: Readonly<Record<keyof typeof clusterVariables, string | undefined>> = {
    WORK_DIR: directory,
    SPARK_MASTER: spark.master ?? 'local[*]',
    SPARK_SUBMIT: spark.submit ?? 'spark-submit',
    SPARK_CONF: conf.join(' ') || '-',
    SPARK_BLOCKS: String(blocks ?? 'by the entries'),
  }
  return Object.entries(values).map(([name, value]) => `${name.padEnd(24)}${value}`)
}

/**
 * The configuration's module for this program: λ is scaled by the count, which is what MLlib does, where nothing else is
 * said, and options are not searched for.
 */
export function forCluster(config: SeesawConfig): SeesawConfig {
  return { ...config, tune: false, training: { regularizationScaling: 'count', ...config.training } }
}

/** `spark.a=1 spark.b=-Dx -Dy`: a value ends where the next name begins. */
function readProperties(text: string, problems: string[]): Record<string, string> {
  const conf: Record<string, string> = {}
  for (const pair of text.split(/\s+(?=spark\.[\w.-]+=)/).filter(Boolean)) {
    const [, name, value] = /^(spark\.[\w.-]+)=(.*)$/s.exec(pair) ?? []
    if (name === undefined) problems.push(`SPARK_CONF=${text}: "${pair}" is no spark.name=value`)
    else conf[name] = value!
  }
  return conf
}
