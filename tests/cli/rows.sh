# A pickle of protocol 0 on stdout: a list of dicts, a row for each argument KEY=NUMBER.
printf '(l'
for row in "$@"; do
    printf '(dVid\nV%s\nsVkind\nVkind of %s\nsVvector\n(lF%s\naF2.5\nasa' "${row%%=*}" "${row%%=*}" "${row##*=}"
done
printf '.'
