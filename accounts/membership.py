"""Makes groups and puts members into them."""

from collections.abc import Iterable

from accounts.addresses import AddressSyntaxError, parse_address
from accounts.models import Domain, Group, GroupMember
from accounts.namespace import Conflict, holder_of, one_change
from accounts.people import parse_local, refuse_taken


def create_group(address: str, members: Iterable[str] = (), *, description: str = "") -> Group:
    """A group; members are addresses of users, aliases, groups, or outside addresses."""
    domain, parsed = parse_local(address)
    group = Group(domain=domain, name=parsed.local_part, description=description)
    with one_change(str(parsed)):
        save_new_group(group)
        for member in members:
            add_member(group, member)
    return group


def save_new_group(group: Group) -> None:
    """Save a group without members yet."""
    with one_change(group.address):
        group.clean_fields()
        refuse_taken(group.domain, group.name)
        group.save()


def add_member(group: Group, address: str) -> GroupMember:
    """Put a user, a group or an outside address into a group; a loop is a Conflict."""
    member = member_of_address(group, address)
    with one_change(address):
        explanation = why_not_member(member)
        if explanation:
            raise Conflict(explanation)
        member.save()
    return member


def member_of_address(group: Group, address: str) -> GroupMember:
    """The member, not saved, that an address means: whoever has it here, or an outside address."""
    try:
        parsed = parse_address(address)
    except AddressSyntaxError as error:
        raise Conflict(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
    local_part, domain_name = parsed.key
    domain = Domain.objects.filter(name=domain_name).first()
    holder = holder_of(domain, local_part) if domain is not None else None
    if holder is not None and holder.user is not None:
        return GroupMember(group=group, user=holder.user)
    if holder is not None and holder.group is not None:
        return GroupMember(group=group, member_group=holder.group)
    if holder is None and domain is not None and domain.mail_enabled:
        raise Conflict(f"{parsed} is in a domain of ours, and nobody has it.")
    return GroupMember(group=group, outside_address=str(parsed))


def why_not_member(member: GroupMember) -> str:
    """Why the member cannot be in its group, in one line; "" when it can."""
    inner = member.member_group
    if inner is not None and member.group_id:
        path = path_between(inner, member.group)
        if path:
            chain = " → ".join([str(member.group), *map(str, path)])
            return f"{inner} cannot be a member of {member.group}: the group would reach itself ({chain})."
    if not member.group_id:  # of a group that is not saved yet
        return ""
    same = GroupMember.objects.filter(
        group=member.group,
        user=member.user,
        member_group=inner,
        outside_address=member.outside_address,
    ).exclude(pk=member.pk)
    if same.exists():
        return f"{member} is a member of {member.group} already."
    return ""


def path_between(start: Group, end: Group) -> list[Group]:
    """The groups from `start` to `end` through memberships, both included; empty when there is no way."""
    queue: list[list[Group]] = [[start]]
    seen = {start.pk}
    while queue:
        path = queue.pop(0)
        if path[-1].pk == end.pk:
            return path
        inner = Group.objects.select_related("domain").filter(member_of__group=path[-1])
        for group in inner.exclude(pk__in=seen):
            seen.add(group.pk)
            queue.append([*path, group])
    return []
