/**
 * The formats of strings (JSON Schema Validation 7.3), as regular expressions whose every fit is right.
 *
 * @module
 */

const YEAR = "[0-9]{4}";
const LONG = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])";
const SHORT = "(0[469]|11)-(0[1-9]|[12][0-9]|30)";
const FEBRUARY = "02-(0[1-9]|1[0-9]|2[0-8])";
const LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29";
const DATE = `(${YEAR}-(${LONG}|${SHORT}|${FEBRUARY})|${LEAP})`;
const TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
const LABEL = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?";
const HOST = `${LABEL}(\\.${LABEL}){0,5}`;
const BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const HEX = "[0-9a-f]{1,4}";
const PATH = "(/[A-Za-z0-9._~-]+)*/?(\\?[A-Za-z0-9._~=&-]*)?(#[A-Za-z0-9._~-]*)?";
const URI = `https?://${HOST}(:[1-9][0-9]{0,3})?${PATH}`;
const WORD = "[A-Za-z0-9_+-]{1,20}";
const NUMBER = "[0-9]{1,4}";

const FORMATS: Readonly<Record<string, string>> = {
  "date": DATE,
  "time": TIME,
  "date-time": `${DATE}T${TIME}`,
  "duration": `P(${NUMBER}W|${NUMBER}D|${NUMBER}M|${NUMBER}Y|(${NUMBER}D)?T(${NUMBER}H|${NUMBER}M|${NUMBER}S))`,
  "uuid": "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
  "email": `${WORD}(\\.${WORD}){0,2}@${LABEL}(\\.${LABEL}){1,5}`,
  "hostname": HOST,
  "ipv4": `${BYTE}(\\.${BYTE}){3}`,
  "ipv6": `${HEX}(:${HEX}){7}`,
  "uri": URI,
  "uri-reference": `(${URI}|${PATH})`,
  "json-pointer": "(/[A-Za-z0-9._-]+)*",
};

/** The regular expression of a format, or null of one that isn't known. */
export function patternOfFormat(name: string): string | null {
  return Object.hasOwn(FORMATS, name) ? `^${FORMATS[name]}$` : null;
}

/** The names of the formats that are known. */
export const FORMAT_NAMES: readonly string[] = Object.keys(FORMATS);
