package config

import "testing"

func TestUnicode(t *testing.T) {
	for _, tc := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", false},
		{"", "", "C", false},
		{"", "", "de_DE.UTF-8", true},
		{"", "", "C.utf8", true},
		{"C", "", "de_DE.UTF-8", false},
		{"", "en_US.UTF-8", "C", true},
		{"", "de_DE.ISO-8859-1", "de_DE.UTF-8", false},
	} {
		t.Setenv("LC_ALL", tc.all)
		t.Setenv("LC_CTYPE", tc.ctype)
		t.Setenv("LANG", tc.lang)
		if got := Unicode(); got != tc.want {
			t.Errorf("%+v: got %v", tc, got)
		}
	}
}
