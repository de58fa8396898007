"""New plugins: the names they go by, and the files they are made of.

`templates/every_kind` and `templates/<kind>` together are the tree that is written. In paths `PACKAGE` stands for the
import package, `NAME` for the component and `dot_` for a dot; in texts `string.Template` fills in `$package`, `$name`,
`$class` and what else `project.render` lists.
"""
