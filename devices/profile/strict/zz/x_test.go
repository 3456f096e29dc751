package zz
import ("testing";"fmt";"strings";"time"
"github.com/goccy/go-yaml/lexer";"github.com/goccy/go-yaml/parser")
func TestX(t *testing.T){
 for _, s := range []string{"a: 010\nb: 1_000\nc: +5\nd: 0x1F\ne: yes\nf: ~\ng:\nh: .inf\ni: 1e3\nj: 0o17\nk: 2026-01-01\n",
 "ä: ü\nb: {c: ö, d: e}\n", "a:\r\n  b: 1\r\n  c: [x, 'y']\r\n", "a:\n\tb: 1\n", "a: |\n  x\n  y\nb: >-\n  u\n  v\nc: k\n l\nd: \"x\n  y\"\ne: 1\n","- a: 1\n  b: 2\n-\n  - x\n  - y\n", "\ufeffa: 1\n", "a: 1\n---\nb: 2\n","# c\n","","a: &x 1\nb: *x\nc: !!str 5\n<<: {a: 1}\n? z\n: y\n","%YAML 1.2\n---\na: 1\n","a: b: c\n","[1,2\n","a: 'x\n","a: 1\n b: 2\n","{a: 1, b}","a: [1,,2]","a: 1\na: 2\n","null: 1\ntrue: 2\n1.5: 3\n0x1: 4\n[a]: 3\n","a:\n- b\n- c\nd: e\n", "...\n", "a: {b: 1} # c\n\n\nc: \"q\\\"\" # x\nz: 1\n"} {
  fmt.Printf("=== %q\n", s)
  toks := lexer.Tokenize(s)
  for _, k := range toks { fmt.Printf("  %d:%d off%d %v %q err=%q\n", k.Position.Line,k.Position.Column,k.Position.Offset, k.Type,k.Value,k.Error)}
  func(){ defer func(){ if r:=recover(); r!=nil {fmt.Println("PANIC",r)}}()
  f, err := parser.Parse(toks, 0, parser.AllowDuplicateMapKey())
  if err != nil { fmt.Printf("  ERR %T %v\n", err, err); return }
  for _, d := range f.Docs { fmt.Printf("  doc %T\n", d.Body); if d.Body!=nil {fmt.Println("   ", d.Body.GetToken().Position, d.Body.String())} }
  }()
 }
}
func TestTime(t *testing.T){
 for n, s := range map[string]string{"keys": strings.Repeat("a:\n", 20000), "keys2": strings.Repeat("a: 1\n", 20000), "list": strings.Repeat("- 1\n", 20000),"flow":"["+strings.Repeat("1,",20000)+"]","flowmap":"{"+strings.Repeat("a: 1,",20000)+"}", "deepflow": strings.Repeat("[",5000), "deepmap": strings.Repeat("{a: ",5000),"dash":strings.Repeat("- ",5000), "quote":"a: \""+strings.Repeat("x\n ",20000), "comment":strings.Repeat("#x\n",20000), "long": strings.Repeat("x y\n",20000), "colon": strings.Repeat("a: ",5000), "q":strings.Repeat("? ",5000),"seqmap":strings.Repeat("- a: 1\n  b: 2\n",10000)} {
  st := time.Now()
  toks := lexer.Tokenize(s); d1 := time.Since(st); st = time.Now()
  _, err := parser.Parse(toks, 0, parser.AllowDuplicateMapKey())
  e := fmt.Sprint(err); if len(e)>60 {e=e[:60]}
  fmt.Printf("%s len %d tok %v parse %v %q\n", n, len(s), d1, time.Since(st), e)
 }
}
