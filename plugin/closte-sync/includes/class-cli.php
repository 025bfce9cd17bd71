<?php
/**
 * `wp closte-sync`: what the pages show and do, on the command line.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * Shows what closte-sync knows about this network's domains.
 */
final class Cli {

	/**
	 * Shows the engine's state, counts, and the domains that need a person.
	 */
	public function status() {
		\WP_CLI::log( Words::heard() );
		\WP_CLI::log( Words::mode() );
		if ( null !== Engine::report()['ready'] ) {
			\WP_CLI::log( Words::headline( Engine::report()['ready'], (int) Engine::report()['waiting'] ) );
		}
		foreach ( Engine::report()['counts'] as $stage => $count ) {
			\WP_CLI::log( "$stage: $count" );
		}
		foreach ( Admin_Page::needing_a_person() as $domain ) {
			\WP_CLI::log( "{$domain['domain']}: " . Words::with_turn( $domain ) );
		}
	}

	/**
	 * Has a domain checked as soon as the engine receives the request.
	 *
	 * ## OPTIONS
	 *
	 * <domain>
	 * : Its name, as it is mapped.
	 *
	 * @param string[] $arguments The name.
	 */
	public function recheck( $arguments ) {
		$domain = strtolower( $arguments[0] );
		if ( ! Ultimate_Multisite::is_mapped( $domain ) ) {
			\WP_CLI::error( "$domain is not mapped on this network." );
		} elseif ( ! Rechecks::add( $domain ) ) {
			\WP_CLI::error( 'Too many domains already wait for the engine.' );
		} else {
			\WP_CLI::success( "$domain is checked as soon as the engine receives this request." );
		}
	}

	/**
	 * Makes a link to a status page for the owner of a domain, which ends the older one; or ends it.
	 *
	 * ## OPTIONS
	 *
	 * <domain>
	 * : Its name, as it is mapped.
	 *
	 * [--revoke]
	 * : End the link that there is.
	 *
	 * @param string[] $arguments The name.
	 * @param array    $options   Whether to end it.
	 */
	public function link( $arguments, $options = array() ) {
		$domain   = strtolower( $arguments[0] );
		$mappings = Ultimate_Multisite::mappings_of( $domain );
		if ( array() === $mappings ) {
			\WP_CLI::error( "$domain is not mapped on this network." );
		} elseif ( ! empty( $options['revoke'] ) ) {
			$ended = count( array_filter( array_map( array( Status_Links::class, 'revoke' ), $mappings ) ) );
			\WP_CLI::success( 0 < $ended ? "The link of $domain ended." : "$domain has no link." );
		} else {
			$address = Status_Links::make( $mappings[0], $domain );
			if ( null === $address ) {
				\WP_CLI::error( Words::no_link() );
				return;
			}
			\WP_CLI::log( $address );
			\WP_CLI::success( 'It is valid for 30 days, and shown only now.' );
		}
	}

	/**
	 * Says what is not as it should be.
	 */
	public function doctor() {
		$ill = 0;
		foreach ( Checks::all() as $check ) {
			\WP_CLI::log( ( $check['is_well'] ? 'ok:  ' : 'BAD: ' ) . "{$check['label']}. {$check['text']}" );
			$ill += $check['is_well'] ? 0 : 1;
		}
		if ( $ill > 0 ) {
			\WP_CLI::error( "Failed checks: $ill." );
		}
	}
}
