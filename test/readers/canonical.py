"""Rows of Python objects as comparable text (columns.ts says how), and the frame of a script that answers a job."""
import datetime
import decimal
import hashlib
import json
import struct
import sys
import time
import traceback

EPOCH = datetime.datetime(1970, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)


def canonical(kind, value):
    if value is None:
        return None
    if isinstance(kind, dict):
        return nested(kind, value)
    if kind == 'boolean':
        return 'true' if value else 'false'
    if kind in ('int', 'long'):
        return str(int(value))
    if kind == 'float':
        return 'NaN' if value != value else struct.pack('>f', value).hex()
    if kind == 'double':
        return 'NaN' if value != value else struct.pack('>d', value).hex()
    if kind in ('date', 'timestamp', 'timestamptz') and isinstance(value, int):
        return str(value)
    if kind == 'date':
        return str(value.toordinal() - EPOCH.toordinal())
    if kind in ('timestamp', 'timestamptz'):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return str((value - EPOCH) // MICROSECOND)
    if kind == 'binary':
        return bytes(value).hex()
    assert kind == 'string' and isinstance(value, str), (kind, value)
    return value


def nested(kind, value):
    (name, inner), = kind.items()
    if name == 'decimal':
        assert isinstance(value, decimal.Decimal), value
        return format(value.quantize(decimal.Decimal(1).scaleb(-inner[1]), context=decimal.Context(prec=60)), 'f') \
            if value else format(abs(decimal.Decimal(0).scaleb(-inner[1])), 'f')
    if name == 'struct':
        return row(inner, value)
    if name == 'list':
        return [canonical(inner, each) for each in value]
    pairs = value.items() if hasattr(value, 'items') else value
    return sorted([[key, canonical(inner, each)] for key, each in pairs], key=lambda pair: pair[0].encode())


def row(columns, value):
    """A dict or anything else with names for keys."""
    return [canonical(kind, value[name]) for name, kind in columns]


def row_text(columns, value):
    return json.dumps(row(columns, value), ensure_ascii=False, separators=(',', ':'))


def sorted_texts(columns, values):
    return sorted((row_text(columns, value) for value in values), key=lambda text: text.encode())


def answer_rows(columns, question, values):
    """Their sorted text; for a digest their number and the SHA-256 of that text, one row a line."""
    texts = sorted_texts(columns, values)
    if question['kind'] == 'rows':
        return texts
    assert question['kind'] == 'digest', question
    return f'{len(texts)} ' + hashlib.sha256('\n'.join(texts).encode()).hexdigest()


def answer_job(readers):
    """readers: {name: (job, table) -> (question -> answer)}. Writes {reader: {table: {question id: answer}}}."""
    job = read_job()
    answers = {}
    for name, open_table in readers.items():
        started = time.monotonic()
        answers[name] = {table['name']: answer_table(open_table, job, table) for table in job['tables']}
        print(f'{name}: {time.monotonic() - started:.1f} s', flush=True)
    write_answers(answers)


def read_job():
    with open(sys.argv[1], encoding='utf-8') as file:
        return json.load(file)


def write_answers(answers):
    with open(sys.argv[2], 'w', encoding='utf-8') as file:
        json.dump(answers, file, default=str)


def answer_table(open_table, job, table):
    try:
        ask = open_table(job, table)
    except Exception as error:
        failed = describe(error)
        return {question['id']: failed for question in table['questions']}
    answers = {}
    for question in table['questions']:
        try:
            answer = ask(question)
            if answer is not None:
                answers[question['id']] = answer
        except Exception as error:
            answers[question['id']] = describe(error)
    return answers


def describe(error):
    text = ''.join(traceback.format_exception_only(error)).strip()
    return {'error': text[:1000]}
