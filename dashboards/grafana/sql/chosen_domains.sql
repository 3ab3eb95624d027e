-- chosen_domains: the e-mail domains the variable domain chooses; for all, the ten with most messages. One row each.
SELECT arrayJoin({picked_domains:Array(String)}) AS domain WHERE {domain:String} != 'all'
UNION ALL
SELECT domain FROM ({sql:domain_values}) WHERE {domain:String} = 'all' LIMIT 10
