package config

import "strings"

// Unicode says whether the locale (LC_ALL, LC_CTYPE, LANG, the first that is set) is one of UTF-8. Without any it is C, which is not.
func Unicode() bool {
	locale := strings.ToLower(first("", "LC_ALL", "LC_CTYPE", "LANG"))
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
}
