"""Files and folders where the output is, whatever that is: HDFS, S3A or a disk."""


def written(spark, frame, path, schema):
    """A frame that from here on is what it is: ranges and partitions are drawn anew each time they are computed."""
    frame.write.mode("overwrite").parquet(path)
    return spark.read.schema(schema).parquet(path)


def file_system(spark, path):
    jvm = spark.sparkContext._jvm
    location = jvm.org.apache.hadoop.fs.Path(path)
    return location.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()), location


def read_text(spark, path):
    """The text, or None where there is no such file."""
    files, location = file_system(spark, path)
    if not files.exists(location):
        return None
    stream = files.open(location)
    try:
        return spark.sparkContext._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")
    finally:
        stream.close()


def write_text(spark, path, text):
    files, location = file_system(spark, path)
    stream = files.create(location, True)
    try:
        stream.write(text.encode("utf-8"))
    finally:
        stream.close()


def delete(spark, path):
    files, location = file_system(spark, path)
    files.delete(location, True)


def make_temporary(spark, path):
    """An empty folder that goes when the JVM ends, by a signal too."""
    files, location = file_system(spark, path)
    files.delete(location, True)
    files.mkdirs(location)
    # Of a folder that is not there it would take no notice.
    files.deleteOnExit(location)
